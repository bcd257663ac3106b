#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""mfx-score behind a real Postfix."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
from mtalab.score_cases import ScoreLab, Site, run_all


def main():
    with ScoreLab() as lab:
        run_all(Site(lab, lab.postfix(
            lab.sink, [lab.score.milter], doors=lab.doors(),
            settings={'message_size_limit': '0'},
            auth_port=lab.auth_server().port), can_login=True), sys.argv[1:])


if __name__ == '__main__':
    main()
