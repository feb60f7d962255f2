"""`python -m infra.local`: the laptop server. Its workers import this module too, and run nothing of it."""

if __name__ == "__main__":
    import sys

    from infra.local.launch import main

    sys.exit(main())
