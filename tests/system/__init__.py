"""The whole set under load, under attack, and while parts of it stop, start and crash."""
