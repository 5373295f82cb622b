"""What every test relies on."""

import signal

# A shell starts its background jobs with Ctrl-C ignored; tests of Ctrl-C need it back.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
