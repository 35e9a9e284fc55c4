"""From one number, sample or diagram per network to same or different; nothing here knows a network."""
