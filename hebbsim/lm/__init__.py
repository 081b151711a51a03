"""Language models with traces as context, and models that select from their context.

Everything here except this module and `hebbsim.lm.config` needs torch (extra ``[torch]``).
"""
