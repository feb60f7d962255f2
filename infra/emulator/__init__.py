"""What all emulators of AWS share: environment, process, the stack on it, and the command."""
