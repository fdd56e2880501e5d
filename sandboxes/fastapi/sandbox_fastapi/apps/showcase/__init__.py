"""Four consumers on four channel layers."""
