#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""mfx-masq and then mfx-dkim behind a real Sendmail."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
import tap
from mtalab import LabError
from mtalab.masq_cases import (MESSAGE, MasqLab, Site, addresses, path_of,
                               run_all)


def command(site):
    """Mail of sendmail(1) goes through the submission port (submit.cf)."""
    site.mta.submit(['-f', 'alice@host7.example.org', 'bob@example.net'],
                    MESSAGE.replace(b'\r\n', b'\n'))
    mail = site.sink.take()
    tap.same(path_of(mail.sender), 'alice@example.com',
             'the sendmail command: sender')
    tap.same(addresses(mail, 'From'), ['alice@example.com'], 'From')


def main():
    try:
        with MasqLab() as lab:
            run_all(Site(lab, lab.sendmail(lab.sink, lab.milters())), command)
    except LabError as error:
        if 'sendmail' in str(error) and 'apt' in str(error):
            tap.skip_all(str(error))
        raise


if __name__ == '__main__':
    main()
