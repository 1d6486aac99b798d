"""Who changed what, when and why; and how to put it back."""
