"""Papers of picking: values in, PDF out."""

from picker.documents.pick_list import PickList, pick_list

__all__ = ["PickList", "pick_list"]
