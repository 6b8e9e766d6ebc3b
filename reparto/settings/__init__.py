"""What an operator chose: settings, their sources, and the parts that they name.

May live here: reading of settings, and what is made of them alone.
"""
