# SPDX-License-Identifier: BSD-2-Clause
"""dkim_lab - a lab with mfx-dkim in it: the domain example.org with an RSA
and an Ed25519 key, their records in NSD, a sink behind the MTAs

    with DkimLab({'verify.on_fail': 'reject'}) as lab:
        postfix = lab.postfix(lab.sink, [lab.filter.milter])
"""
from . import Lab
from .verifiers import by_dkimpy, by_mail_dkim

DOMAIN = 'example.org'


class DkimLab(Lab):
    def __init__(self, settings=None):
        super().__init__()
        self.extra = settings or {}

    def set_up(self):
        super().set_up()
        self.rsa = self.key(DOMAIN, 'rsa', 'rsa')
        self.ed = self.key(DOMAIN, 'ed', 'ed25519')
        self.dns = self.nsd([self.rsa.record(), self.ed.record()])
        self.sink = super().sink()
        self.filter = self.mfx_dkim({**self.filter_settings(),
                                     **self.extra})

    def filter_settings(self):
        return {
            'dns.servers': ['127.0.0.1:%d' % self.dns.port],
            'dns.timeout': '2s',
            'sign.domains': 'csl:' + DOMAIN,
            'sign.selectors': ['rsa', 'ed'],
            'sign.key_path': self.dir + '/keys/%d/%s.pem',
        }

    def verdicts(self, mail):
        """What both verifiers say: {selector: 'pass' or a reason}; Mail::DKIM
        speaks for RSA only."""
        said = {selector: result for (_, selector), result
                in by_dkimpy(mail.data, self.dns.port).items()}
        for (_, selector), result in by_mail_dkim(mail.data,
                                                  self.dns.port).items():
            if selector == 'rsa' and result != 'pass':
                said['rsa'] = 'Mail::DKIM: ' + result
        return said
