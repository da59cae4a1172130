"""The clients that people use, unchanged, through a gateway that allows everything: they must not notice it."""
