"""`python -m infra.local`: the laptop server. Its workers import this module too, and run nothing of it."""

if __name__ == "__main__":
    import sys

    from infra.local.shutdown import Shutdown

    shutdown = Shutdown()
    shutdown.listen()  # before the slower imports, which a Ctrl-C would break off with a traceback

    from infra.local import line_writer

    line_writer.install(lambda count: f"parley: {count} log lines were dropped: nothing read the output.\n")

    from infra.local.launch import main

    sys.exit(main(shutdown))
