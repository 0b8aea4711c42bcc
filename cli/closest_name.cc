// Gone with the next configuration.
