"""What every test shares."""

from hypothesis import settings

# A busy machine is no reason to fail: properties are judged by what they say, not by how fast.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
