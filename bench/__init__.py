"""Figures as ratios, each measured against its limit in the same run."""
