"""How a mail is made from its template, and how it leaves the house."""
