# SPDX-License-Identifier: BSD-2-Clause
"""guide - what a test takes out of a guide in doc/

    for heading, text in guide.blocks_of(markdown): ...   indented blocks
    for cells in guide.rows_of(guide.section_of(markdown, 'A heading')): ...
"""
import re


def blocks_of(text):
    """(heading, indented text) for each indented block."""
    heading, block, found = '', [], []
    for line in text.splitlines() + ['']:
        if line.startswith('#'):
            heading = line.lstrip('# ')
        if line.startswith('    ') or (block and not line):
            block.append(line)
            continue
        if block:
            found.append((heading, dedented(block)))
        block = []
    return found


def dedented(lines):
    depth = min(len(line) - len(line.lstrip()) for line in lines if line)
    return '\n'.join(line[depth:] for line in lines).rstrip() + '\n'


def section_of(guide, heading):
    at = re.search(r'^## %s\n(.*?)(?=^## |\Z)' % re.escape(heading), guide,
                   re.M | re.S)
    return at.group(1) if at else ''


def rows_of(text):
    """The cells of each row of the tables in it."""
    return [[cell.strip() for cell in line.strip('|').split('|')]
            for line in text.splitlines() if line.startswith('| ')]
