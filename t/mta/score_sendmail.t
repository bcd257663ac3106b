#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""mfx-score behind a real Sendmail."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
from mtalab.score_cases import ScoreLab, Site, run_all


def main():
    with ScoreLab() as lab:
        run_all(Site(lab, lab.sendmail(
            lab.sink, [lab.score.milter], doors=lab.doors())), sys.argv[1:])


if __name__ == '__main__':
    main()
