"""Work that takes longer than a request: progress, checkpoints, cancelling, taking up after a crash."""
