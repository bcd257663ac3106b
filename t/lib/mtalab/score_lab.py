# SPDX-License-Identifier: BSD-2-Clause
"""score_lab - a lab with rspamd, spamd and clamd, and what mfx-score is told
of them

    class MyLab(EngineLab, Lab): ...
        self.start_engines()
        self.mfx_score({'engines': [self.ask_rspamd(takes=['score'])]})
"""
import os

import scanlab
from .scanners import Rspamd
from .score_mail import RSPAMD_RULES, SPAMD_RULES

# Fields of our own, which the milters of others do not write.
NO_FIELDS = {'headers.' + name: '' for name in (
    'flag', 'score', 'level', 'status', 'symbols', 'action', 'virus_scanned',
    'virus_status', 'original_to')}

# It signs as well.
SIGNING = '''\
modules { path = "/usr/share/rspamd/plugins/dkim_signing.lua"; }
dkim_signing {
  sign_local = true; try_fallback = false; use_domain = "header";
  allow_hdrfrom_mismatch = true; allow_envfrom_empty = true;
  domain { signed.example { selector = "sel"; path = "%s"; } }
}
'''


class EngineLab:
    """To be mixed into a Lab."""

    def start_engines(self, spamd_words=(), proxies=None):
        self.spamd = self._add(scanlab.Spamd(
            self._folder('spamd'), SPAMD_RULES, spamd_words))
        self.clamd = self._add(scanlab.Clamd(self._folder('clamd')))
        key = self.key('signed.example', 'sel', 'rsa').path
        os.chmod(key, 0o644)
        self.rspamd = self._add(Rspamd(
            self._folder('rspamd'), RSPAMD_RULES, proxies=proxies,
            more=SIGNING % key))

    def ask_rspamd(self, **more):
        return {'name': 'rspamd', 'type': 'rspamd',
                'servers': [self.rspamd.tcp], **more}

    def ask_spamd(self, **more):
        return {'name': 'spamd', 'type': 'spamd',
                'servers': [self.spamd.unix], **more}

    def ask_clamd(self, **more):
        return {'name': 'clamd', 'type': 'clamd',
                'servers': [self.clamd.unix], **more}
