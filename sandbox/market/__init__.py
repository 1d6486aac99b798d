"""What happens on a marketplace whatever its API looks like: lots, orders, buyers, money that adds up."""
