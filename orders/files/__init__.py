"""Files of orders as plain values: what their columns mean, what their cells say, and what is wrong with them."""
