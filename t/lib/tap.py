# SPDX-License-Identifier: BSD-2-Clause
"""tap - test results in TAP, for tests written in Python

    import tap
    tap.ok(condition, 'label')
    tap.same(got, want, 'label')
    tap.has(text, b'part', 'label')
    tap.done()

The plan comes last. done() ends the program: 0 when all passed, else 1.
skip_all() ends it before the first test.
"""
import re
import sys

_count = 0
_failed = 0


def note(text):
    """A comment line for each line of text."""
    if isinstance(text, bytes):
        text = text.decode('utf-8', 'backslashreplace')
    for line in str(text).splitlines():
        print('#', line)
    sys.stdout.flush()


def ok(condition, label, *details):
    global _count, _failed
    _count += 1
    print('%sok %d - %s' % ('' if condition else 'not ', _count, label))
    if not condition:
        _failed += 1
        for detail in details:
            note(detail)
    sys.stdout.flush()
    return bool(condition)


def same(got, want, label):
    return ok(got == want, label, 'got:  %r' % (got,), 'want: %r' % (want,))


def has(text, part, label):
    return ok(part in text, label, 'no %r in:' % (part,), text)


def lacks(text, part, label):
    return ok(part not in text, label, '%r is in:' % (part,), text)


def like(text, pattern, label):
    return ok(re.search(pattern, text, re.S), label,
              'no match of %r in:' % (pattern,), text)


def failed():
    return _failed


def skip_all(reason):
    print('1..0 # SKIP', reason)
    sys.exit(0)


def done():
    print('1..%d' % _count)
    sys.stdout.flush()
    sys.exit(1 if _failed else 0)
