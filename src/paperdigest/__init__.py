"""paperdigest reads daily paper listings, ranks them for each subscriber's topics and mails one digest."""

__version__ = "0.1.0"
