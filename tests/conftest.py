"""What every test shares."""

import signal

from hypothesis import settings

# A busy machine is no reason to fail: properties are judged by what they say, not by how fast.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# A shell starts what it puts into the background with SIGINT ignored, which every program that a test
# starts would inherit; whether one stops at SIGINT must not depend on how the tests were started.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
