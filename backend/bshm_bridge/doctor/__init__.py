"""What is installed, what would be used, what is wrong and how to mend it."""
