# SPDX-License-Identifier: BSD-2-Clause
"""keys - DKIM keys made by openssl, so that they do not depend on mfx"""
import base64
import os

from .process import run

MAKE = {
    'rsa': ['-algorithm', 'rsa', '-pkeyopt', 'rsa_keygen_bits:2048'],
    'ed25519': ['-algorithm', 'ed25519'],
}


class Key:
    """A private key file (PKCS#8 PEM, mode 0600) and its record."""

    def __init__(self, folder, domain, selector, algorithm):
        self.domain = domain
        self.selector = selector
        self.algorithm = algorithm
        os.makedirs(folder, exist_ok=True)
        self.path = '%s/%s.pem' % (folder, selector)
        run(['openssl', 'genpkey', '-out', self.path] + MAKE[algorithm])
        os.chmod(self.path, 0o600)

    def public(self):
        """p=: RFC 6376 has the SubjectPublicKeyInfo for RSA, RFC 8463 the
        bare 32 bytes (which are its end) for Ed25519."""
        der = run(['openssl', 'pkey', '-in', self.path, '-pubout',
                   '-outform', 'DER']).stdout
        if self.algorithm == 'ed25519':
            der = der[-32:]
        return base64.b64encode(der).decode()

    def seed(self):
        """The 32 bytes of an Ed25519 key, base64: what dkimpy reads."""
        der = run(['openssl', 'pkey', '-in', self.path, '-outform',
                   'DER']).stdout
        return base64.b64encode(der[-32:])

    def name(self):
        return '%s._domainkey.%s' % (self.selector, self.domain)

    def record(self, flags=''):
        text = 'v=DKIM1; k=%s; %sp=%s' % (self.algorithm, flags,
                                          self.public())
        parts = [text[i:i + 250] for i in range(0, len(text), 250)]
        return '%s. IN TXT %s' % (self.name(),
                                  ' '.join('"%s"' % p for p in parts))
