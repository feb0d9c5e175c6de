"""`python -m webhook`: the command without its installed script."""

from webhook.cli.main import main

if __name__ == "__main__":
    main()
