"""What can be called: one folder per role, each with its protocol, back ends and scripted fake."""
