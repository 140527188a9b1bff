"""What a connection would meet: bind, rules, backend, server, and through loops the next bind.

Nothing is opened and nothing is sent. Conditions and expressions are the engine's business
(`isthmus.engine.Explainer`); what is walked here is the plan, in the order in which the engine does it.
Where the description leaves something open the answer is unknown, with what would tell.

`connection` is what is known at one point of the way, `changes` what rules make of it, `walking` a rule
set, `entering` the choice of a bind, `leaving` that of a server, `route` all of it, `report` what is
found, `writing` its text, `command` the command line.
"""
