"""What can be typed behind `facegen`: each verb's options, and what it then does."""
