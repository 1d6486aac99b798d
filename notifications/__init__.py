"""Whom do we tell, how: the mail queue and the bell."""
