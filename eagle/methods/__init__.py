"""Everything that turns an anchor, a user and a budget of texts into a new text: rules, policies, searches and ELM."""
