"""What ``insectbot new`` copies: working one-file plugins with placeholder names; a user begins by changing them."""
