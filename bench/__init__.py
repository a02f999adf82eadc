"""The figures the documents quote, each measured by a program that stands beside the claim."""
