# SPDX-License-Identifier: BSD-2-Clause
"""signers - messages signed by another implementation (python3-dkim)"""
import dkim


def by_dkimpy(message, key, canonicalization=('relaxed', 'relaxed')):
    """The message with a signature field above it."""
    if key.algorithm == 'ed25519':
        private = key.seed()
    else:
        with open(key.path, 'rb') as file:
            private = file.read()
    field = dkim.sign(
        message, key.selector.encode(), key.domain.encode(), private,
        canonicalize=tuple(word.encode() for word in canonicalization),
        signature_algorithm=key.algorithm.encode() + b'-sha256')
    return field + message
