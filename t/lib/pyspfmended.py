# SPDX-License-Identifier: BSD-2-Clause
"""pyspfmended - pyspf as it is, and with its deviations from RFC 7208 mended

    result, explanation = pyspfmended.check(case, zone, mends)

A mend is one deviation; MENDS has the RFC's words. With no mends it is pyspf
2.0.14 as Debian has it. What differs from mfx without mends and does not with
all of them is explained, and by those mends without which it differs again.
"""
import re
import sys
import types

sys.modules.setdefault('DNS', types.SimpleNamespace(DNSError=OSError))
import spf

MENDS = {
    'names': '4.6.1: "mechanism and modifier names are case insensitive" '
             '(pyspf takes Redirect= and EXP= for unknown modifiers)',
    'repeated': '6: "Unrecognized modifiers MUST be ignored no matter where, '
                'or how often, they appear" (pyspf: permerror if twice)',
    'macros': '7.1: the grammar of macro-string: also where "%%" ends it, in '
              'unknown modifiers, for unclosed braces, letters and delimiters '
              'that are none (pyspf refuses the first and takes the others)',
    'joined': '7.3: "rejoined using \".\" (dot) and not the original splitting '
              'characters" (pyspf does so for l and s alone)',
    'order': '4.6.2: each mechanism "in turn from left to right", 6.1: '
             'redirect if none matches, 6.2: exp if the result is fail '
             '(pyspf expands all terms first, with the lookups of %{p}, and '
             'counts redirect though a mechanism matches)',
    'voids': '4.6.4: "limit the number of \"terms\" for which DNS queries '
             'return" nothing (pyspf counts queries: each host of an mx or '
             'ptr, those of %{p})',
    'client': '5.5: "If a DNS error occurs while doing the PTR RR lookup, then '
              'this mechanism fails to match", while doing an A lookup, "then '
              'that domain name is skipped"; 7.3: %{p} is "unknown" then '
              '(pyspf: temperror)',
    'hosts': '5.4: "If any address matches, the mechanism matches" (pyspf '
             'asks for all hosts of an mx first and stops at the first error)',
    'needed': '5.2, 5.7: include and exists have a domain-spec '
              '(pyspf takes "-exists" for "-exists:%{d}")',
    'letters': '7.1 with RFC 5234 2.3: letters in ABNF are case-insensitive, '
               '"R" reverses as "r" does (pyspf leaves it out)',
    'text': '7.3: what is longer than 253 octets is cut where it "is used in a '
            'domain name query" (pyspf cuts explanations at a dot, too)',
    'long': '7.3: cut "by removing successive domain labels (and their '
            'following dots) until the total length does not exceed 253 '
            'characters" (pyspf: one label)',
    'unusable': '4.8: with names that are none "some implementations choose to '
                'treat as a no-match mechanisms", "others return a permerror" '
                '(pyspf: the latter for one that expands to nothing)',
    'sender': '4.3: "If the <sender> has no local-part, substitute the string '
              '\"postmaster\" for the local-part" (pyspf: not in %{s})',
}

LITERAL = r'[\x21-\x24\x26-\x7e]'
IN_DOMAIN = re.compile(
    r'(?:%s|%%[%%_-]|%%\{[slodiphv](?:0*[1-9][0-9]*)?r?[-.+,/_=]*\})*\Z'
    % LITERAL, re.I)
IN_TEXT = re.compile(
    r'(?:[ ]|%s|%%[%%_-]|%%\{[slodiphcrtv](?:0*[1-9][0-9]*)?r?[-.+,/_=]*\})*\Z'
    % LITERAL, re.I)
MODIFIER = re.compile(r'([A-Za-z][A-Za-z0-9_.-]*)=')
NEVER = re.compile(r'(?!)')
PLAIN_INVALID = spf.RE_INVALID_MACRO
PLAIN_SPLIT = spf.split
PLAIN_ARGS = spf.RE_ARGS
ARGS = re.compile(r'([0-9]*)([rR]?)([^0-9a-zA-Z]*)')


class Later:
    """A domain-spec that is expanded when its term is evaluated."""

    def __init__(self, query, spec):
        self.query, self.spec, self.domain = query, spec, query.d

    def now(self):
        saved, self.query.d = self.query.d, self.domain
        try:
            return self.query.expand(self.spec)
        finally:
            self.query.d = saved

    def lower(self):
        return self.now().lower()


def now(text):
    return text.now() if isinstance(text, Later) else text


def is_askable(name):
    name = name[:-1] if name.endswith('.') else name
    return 0 < len(name) <= 253 and all(0 < len(label) < 64
                                        for label in name.split('.'))


class Query(spf.query):
    mends = frozenset()
    inside = 0      # of mx or ptr: hosts, not terms
    asks_p = False  # %{p} does, and not ptr

    # --- the record as text ---

    def dns_spf(self, domain):
        domain = self.target(domain)
        record = super().dns_spf(domain)
        return record and ' '.join(self.mended_terms(record.split(' ')))

    def mended_terms(self, terms):
        seen = set()
        for term in terms:
            match = MODIFIER.match(term)
            if not match:
                yield term
                continue
            name = match.group(1)
            if 'names' in self.mends and name.lower() in ('redirect', 'exp'):
                term = name.lower() + term[len(name):]
                name = name.lower()
            if 'macros' in self.mends and name.lower() in ('op', 'default'):
                self.check_syntax(term[match.end():], True)
            known = name in ('redirect', 'exp')
            if 'repeated' in self.mends and not known and name in seen:
                term = 'x%d' % len(seen) + term[len(name):]
                name = 'x%d' % len(seen)
            seen.add(name)
            yield term

    def validate_mechanism(self, mech):
        bare = mech.lstrip('+-?~').lower()
        if 'needed' in self.mends and bare in ('exists', 'include'):
            raise spf.PermError('no domain', mech)
        return super().validate_mechanism(mech)

    # --- macros ---

    def expand_domain(self, arg):
        if 'order' not in self.mends:
            return super().expand_domain(arg)
        if spf.RE_TOPLAB.split(arg)[-1]:
            raise spf.PermError('Invalid domain found (use FQDN)', arg)
        self.check_syntax(arg, True)
        return Later(self, arg) if arg else ''


    def check_syntax(self, text, stripdot):
        if 'macros' in self.mends:
            if not (IN_DOMAIN if stripdot else IN_TEXT).match(text):
                raise spf.PermError('invalid macro string', text)
        elif '%' in text and PLAIN_INVALID.search(text):
            raise spf.PermError('invalid-macro-char', text)
        elif stripdot and re.search(r'(?<!%)%\{[crt]', text, re.I):
            raise spf.PermError('c,r,t', text)

    def expand(self, s, stripdot=True):
        if 'macros' in self.mends:
            self.check_syntax(s, stripdot)
        if stripdot:
            if 'long' not in self.mends:
                return super().expand(s, stripdot)
            return self.cut(s)
        if 'text' in self.mends:
            return self.expand_text(s)
        return super().expand(s, stripdot)

    def expand_text(self, s):
        """Piece by piece, so that none is long enough to be cut."""
        return ''.join(spf.query.expand(self, piece, False) for piece in
                       re.findall(r'%\{[^}]*\}|%.|[^%]', s))

    def cut(self, s):
        text = self.expand_text(s)
        text = text[:-1] if text.endswith('.') else text
        while len(text) > 253 and '.' in text:
            text = text[text.index('.') + 1:]
        return text

    # --- when ---

    def check_lookups(self):
        if 'order' not in self.mends:
            super().check_lookups()

    def target(self, arg):
        """A term's turn has come."""
        if isinstance(arg, Later):
            super().check_lookups()
        return now(arg)

    def check1(self, record, domain, recursion):
        return super().check1(record, now(domain), recursion)

    def get_explanation(self, spec):
        if 'order' not in self.mends or not isinstance(spec, Later):
            return super().get_explanation(spec)
        return spec

    def explained(self, text):
        if not isinstance(text, Later):
            return text
        saved, self.d = self.d, text.domain
        try:
            return super().get_explanation(text.now()) or \
                spf.EXPLANATIONS['fail']
        except (spf.TempError, spf.PermError):
            return spf.EXPLANATIONS['fail']
        finally:
            self.d = saved

    # --- what is void ---

    def void(self):
        self.void_lookups += 1
        if self.void_lookups > spf.MAX_VOID_LOOKUPS:
            raise spf.PermError('Void lookup limit exceeded')

    def dns(self, name, qtype, cnames=None, ignore_void=False):
        if not name and 'unusable' in self.mends:
            return []
        return super().dns(name, qtype, cnames,
                           ignore_void or 'voids' in self.mends)

    def counted(self, name, found):
        if 'voids' in self.mends and not self.inside and not found and \
                is_askable(name):
            self.void()
        return found

    def dns_a(self, name, A='A'):
        if self.inside:
            return super().dns_a(name, A)
        name = self.target(name)
        return self.counted(name, super().dns_a(name, A))

    # --- hosts and the client's names ---

    def dns_mx(self, name):
        name = self.target(name)
        self.inside += 1
        try:
            if 'hosts' not in self.mends:
                found = super().dns_mx(name)
            else:
                found = self.all_hosts(name)
        finally:
            self.inside -= 1
        return self.counted(name, found)

    def all_hosts(self, name):
        hosts = self.dns(name, 'MX')
        if len(hosts) > spf.MAX_MX:
            raise spf.PermError('too many MX')
        found = []
        for host in sorted(hosts):
            try:
                found += self.dns_a(host[1], self.A)
            except spf.TempError as error:
                found.append(error)
        return found

    def cidrmatch(self, addresses, n):
        errors = [a for a in addresses if isinstance(a, Exception)]
        plain = [a for a in addresses if not isinstance(a, Exception)]
        if super().cidrmatch(plain, n):
            return True
        if errors:
            raise errors[0]
        return False

    def validated_ptrs(self):
        if not self.asks_p and 'order' in self.mends:
            super().check_lookups()
        self.inside += 1
        try:
            return self.mended_ptrs() if 'client' in self.mends \
                else super().validated_ptrs()
        finally:
            self.inside -= 1
            if not self.asks_p:
                self.count_ptr()

    def getp(self):
        self.asks_p = True
        try:
            return super().getp()
        finally:
            self.asks_p = False

    def count_ptr(self):
        try:
            names = super().dns_ptr(self.i)
        except spf.TempError:
            return
        self.counted('x', names)

    def mended_ptrs(self):
        try:
            names = self.dns_ptr(self.i)[:spf.MAX_PTR]
        except spf.TempError:
            return []
        return [name for name in names if self.is_client(name)]

    def is_client(self, name):
        try:
            return self.cidrmatch(self.dns_a(name, self.A), self.cidrmax)
        except spf.TempError:
            return False


def split_joined(text, delimiters, joiner=None):
    return PLAIN_SPLIT(text, delimiters, '.')


def lookups_in(zone):
    def look_up(name, kind, strict=True, timeout=20):
        found = zone.get((name.lower(), kind))
        if found == 'servfail':
            raise spf.TempError('DNS server failure')
        return [((name, kind), [one] if kind == 'TXT' else one)
                for one in found or ()]
    return look_up


def check(case, zone, mends):
    spf.DNSLookup = lookups_in(zone)
    spf.RE_INVALID_MACRO = NEVER if 'macros' in mends else PLAIN_INVALID
    spf.RE_ARGS = ARGS if 'letters' in mends else PLAIN_ARGS
    spf.split = split_joined if 'joined' in mends else PLAIN_SPLIT
    query = Query(i=case.shown_ip, s=case.sender, h=case.helo,
                  receiver='unknown')
    query.mends = frozenset(mends)
    if 'sender' in mends:
        query.s = '%s@%s' % (query.l, query.o)
    try:
        result, _, text = query.check()
    except Exception as error:  # pyspf's own, of an empty name
        return type(error).__name__, str(error)
    text = query.explained(text) if result == 'fail' else ''
    return result, '' if text == spf.EXPLANATIONS['fail'] else text


def minimal(case, zone, want):
    """The mends with which pyspf says what is wanted, as few as can be; None
    when all of them are not enough."""
    mends = set(MENDS)
    if check(case, zone, mends) != want:
        return None
    for mend in MENDS:
        if check(case, zone, mends - {mend}) == want:
            mends.remove(mend)
    return mends
