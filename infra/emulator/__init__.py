"""What every emulator of AWS has in common here: environment, process, the stack on it, and the command."""
