"""Everything that turns (anchor, user) into texts: rules and small policies,
acting through the same protocol as EAGLE.
"""
