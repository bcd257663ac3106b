#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""mfx-spf behind a real Postfix."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                '../lib'))
from mtalab.spf_cases import Site, SpfLab, run_all


def main():
    with SpfLab() as lab:
        run_all(Site(lab, lab.postfix(lab.sink, lab.milters())))


if __name__ == '__main__':
    main()
