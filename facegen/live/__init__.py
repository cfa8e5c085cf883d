"""Motion sent out live: packets of Live Link Face, messages of the VMC protocol, and the clock that sends them."""
