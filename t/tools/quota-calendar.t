#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Minutes, hours, days, weeks and months of every time zone, compared with
what Python's zoneinfo says: at random instants of 500 years, and around the
changes of the clocks; from the zone files as they are and from slim ones."""
import bisect
import datetime as dt
import os
import random
import shutil
import subprocess
import sys
import tempfile
import zoneinfo

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'lib'))
import tap

FOLDER = '/usr/share/zoneinfo'
BUILD = os.environ.get('MFX_BUILDDIR', '.')
PROGRAM = os.path.join(BUILD, 't/tools/quota_periods')
UNITS = ('minute', 'hour', 'day', 'week', 'month')
SEED = 20171015
DAY = 86400

if not os.access(PROGRAM, os.X_OK):
    tap.skip_all('quota_periods is not built')
if not os.path.exists(os.path.join(FOLDER, 'tzdata.zi')):
    tap.skip_all('tzdata is not installed')


class Clock:
    """What a zone's local clock shows, and when it shows what first."""

    def __init__(self, tz):
        self.tz = tz

    def offset(self, at):
        return int(dt.datetime.fromtimestamp(at, self.tz).utcoffset().total_seconds())

    def local(self, at):
        return dt.datetime.fromtimestamp(at, self.tz).replace(tzinfo=None)

    def first(self, local):
        """The first instant that shows this local time or a later one."""
        at = int(local.replace(tzinfo=self.tz, fold=0).timestamp())
        if self.local(at) == local:
            return at
        before = int(local.replace(tzinfo=self.tz, fold=1).timestamp())
        return self.change(before, at, lambda t: self.local(t) >= local)

    @staticmethod
    def change(low, high, is_past):
        """The first instant in (low, high] that is past."""
        span = range(low + 1, high + 1)
        return span[bisect.bisect_left(span, True, key=is_past)]

    def days(self, unit, at):
        date = self.local(at).date()
        if unit == 'week':
            date -= dt.timedelta(days=date.weekday())
        if unit == 'month':
            date = date.replace(day=1)
        begin = self.first(dt.datetime.combine(date, dt.time()))
        while True:
            date = self.after(unit, date)
            end = self.first(dt.datetime.combine(date, dt.time()))
            if end > at:
                return begin, end
            begin = end

    @staticmethod
    def after(unit, date):
        if unit == 'month':
            return (date + dt.timedelta(days=31)).replace(day=1)
        return date + dt.timedelta(days=7 if unit == 'week' else 1)

    def grid(self, length, at):
        phase = self.offset(at) % length
        begin = at - (at + phase) % length
        end = begin + length
        same = lambda t: self.offset(t) % length == phase
        if not same(begin):
            begin = self.change(begin, at, same)
        if not same(end - 1):
            end = self.change(at, end - 1, lambda t: not same(t))
        return begin, end

    def period(self, unit, at):
        if unit in ('minute', 'hour'):
            return self.grid(60 if unit == 'minute' else 3600, at)
        return self.days(unit, at)

    def changes(self, first_year, last_year):
        """Instants at which the offset changes, to the second."""
        found = []
        at = int(dt.datetime(first_year, 1, 1, tzinfo=dt.timezone.utc).timestamp())
        last = int(dt.datetime(last_year, 1, 1, tzinfo=dt.timezone.utc).timestamp())
        offset = self.offset(at)
        while at < last:
            then = at + 20 * DAY
            now = self.offset(then)
            if now != offset:
                found.append(self.change(at, then, lambda t: self.offset(t) != offset))
            at, offset = then, now
        return found


def ask(folder, questions):
    text = ''.join('%s %s %d\n' % q for q in questions)
    done = subprocess.run([PROGRAM, folder], input=text, stdout=subprocess.PIPE, universal_newlines=True, timeout=120)
    return done.stdout.splitlines()


def show(at):
    return dt.datetime.fromtimestamp(at, dt.timezone.utc).strftime('%Y-%m-%dT%H:%M:%SZ')


def questions_of(zone, clock, rng, is_thorough):
    instants = [rng.randrange(70 * DAY, 500 * 366 * DAY) for _ in range(6)]
    changes = clock.changes(1971, 2045) if is_thorough else []
    for change in rng.sample(changes, min(4, len(changes))):
        for step in (0, -1, 1, rng.randrange(-7200, 7200), rng.randrange(-2 * DAY, 2 * DAY)):
            instants.append(change + step)
    return [(zone, unit, at) for at in instants for unit in UNITS]


def compare(label, folder, questions, clocks):
    answers = ask(folder, questions)
    wrong = []
    for (zone, unit, at), answer in zip(questions, answers):
        clock = clocks[zone]
        want = '%d %d %d' % (clock.period(unit, at) + (clock.offset(at),))
        if answer != want:
            wrong.append('%s %s %s: got %s, want %s' % (zone, unit, show(at), answer, want))
    tap.ok(not wrong and len(answers) == len(questions), '%s: %d answers' % (label, len(questions)), *wrong[:10])


def check_all(rng):
    """Every name; thoroughly every file of its own."""
    names = sorted(zoneinfo.available_timezones() - {'localtime'})
    seen, questions, clocks = set(), [], {}
    for zone in names:
        path = os.path.join(FOLDER, zone)
        with open(path, 'rb') as file:
            clocks[zone] = Clock(zoneinfo.ZoneInfo.from_file(file, key=zone))
            file.seek(0)
            content = file.read()
        questions += questions_of(zone, clocks[zone], rng, content not in seen)
        seen.add(content)
    tap.ok(len(seen) > 300, '%d zones, %d of them different' % (len(names), len(seen)))
    compare('zone files', FOLDER, questions, clocks)
    return questions


def check_slim(questions, folder):
    """Files without a table for the years to come say the same."""
    zic = shutil.which('zic', path=os.environ['PATH'] + ':/usr/sbin:/sbin')
    if zic is None:
        tap.ok(True, 'slim zone files # SKIP no zic')
        return
    subprocess.run([zic, '-b', 'slim', '-d', folder, os.path.join(FOLDER, 'tzdata.zi')], check=True,
                   stderr=subprocess.DEVNULL)
    questions = [q for q in questions if os.path.exists(os.path.join(folder, q[0]))]
    clocks = {}
    for zone, _, _ in questions:
        if zone not in clocks:
            with open(os.path.join(folder, zone), 'rb') as file:
                clocks[zone] = Clock(zoneinfo.ZoneInfo.from_file(file, key=zone))
    sample = [q for i, q in enumerate(questions) if i % 3 == 0]
    tap.ok(len(sample) > 5000, 'slim zone files were made')
    compare('slim zone files', folder, sample, clocks)


def check_far(rng):
    """As far as Python goes."""
    zones = ('Europe/Zurich', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Gaza', 'Africa/Casablanca',
             'America/Nuuk', 'Europe/Dublin', 'Asia/Kolkata', 'Pacific/Chatham', 'America/Santiago', 'Etc/GMT+5')
    clocks = {z: Clock(zoneinfo.ZoneInfo(z)) for z in zones}
    questions = [(z, u, rng.randrange(600 * 366 * DAY, 8000 * 365 * DAY)) for z in zones for u in UNITS
                 for _ in range(40)]
    compare('to the year 9970', FOLDER, questions, clocks)


# From the announcements of the time zone database, not from any program.
KNOWN = (
    ('day without midnight', 'America/Sao_Paulo', 'day', '2017-10-15T12:00:00Z',
     '2017-10-15T03:00:00Z', '2017-10-16T02:00:00Z'),
    ('day before one without midnight', 'America/Sao_Paulo', 'day', '2017-10-15T02:59:59Z',
     '2017-10-14T03:00:00Z', '2017-10-15T03:00:00Z'),
    ('midnight that comes twice', 'America/Sao_Paulo', 'day', '2018-02-18T02:30:00Z',
     '2018-02-17T02:00:00Z', '2018-02-18T03:00:00Z'),
    ('Beirut without midnight', 'Asia/Beirut', 'day', '2022-03-27T00:00:00Z',
     '2022-03-26T22:00:00Z', '2022-03-27T21:00:00Z'),
    ('23 hours', 'Europe/Zurich', 'day', '2026-03-29T12:00:00Z', '2026-03-28T23:00:00Z', '2026-03-29T22:00:00Z'),
    ('25 hours', 'Europe/Zurich', 'day', '2026-10-25T12:00:00Z', '2026-10-24T22:00:00Z', '2026-10-25T23:00:00Z'),
    ('clocks back a minute after midnight', 'America/St_Johns', 'day', '2006-10-29T03:00:00Z',
     '2006-10-29T02:30:00Z', '2006-10-30T03:30:00Z'),
    ('a day that was left out', 'Pacific/Apia', 'day', '2011-12-30T10:00:00Z',
     '2011-12-30T10:00:00Z', '2011-12-31T10:00:00Z'),
    ('half an hour', 'Australia/Lord_Howe', 'hour', '2026-04-04T15:15:00Z',
     '2026-04-04T15:00:00Z', '2026-04-04T15:30:00Z'),
    ('an hour that comes twice, first', 'Europe/Zurich', 'hour', '2026-10-25T00:30:00Z',
     '2026-10-25T00:00:00Z', '2026-10-25T01:00:00Z'),
    ('an hour that comes twice, second', 'Europe/Zurich', 'hour', '2026-10-25T01:30:00Z',
     '2026-10-25T01:00:00Z', '2026-10-25T02:00:00Z'),
    ('half an hour from UTC', 'Asia/Kolkata', 'hour', '2026-01-01T00:10:00Z',
     '2025-12-31T23:30:00Z', '2026-01-01T00:30:00Z'),
    ('Monday', 'UTC', 'week', '2026-11-22T23:59:59Z', '2026-11-16T00:00:00Z', '2026-11-23T00:00:00Z'),
    ('February', 'UTC', 'month', '2028-02-29T23:59:59Z', '2028-02-01T00:00:00Z', '2028-03-01T00:00:00Z'),
    ('December', 'Asia/Tokyo', 'month', '2026-12-31T14:59:59Z', '2026-11-30T15:00:00Z', '2026-12-31T15:00:00Z'),
)


def check_known():
    seconds = lambda text: int(dt.datetime.strptime(text, '%Y-%m-%dT%H:%M:%S%z').timestamp())
    for label, zone, unit, at, begin, end in KNOWN:
        answer = ask(FOLDER, [(zone, unit, seconds(at))])[0].split()
        tap.same([show(int(a)) for a in answer[:2]], [begin, end], label)


def check_names(folder):
    for name, what in (('Nowhere/Land', 'No such file'), ('../passwd', 'no name'), ('/etc/localtime', 'no name'),
                       ('Europe/../UTC', 'no name'), ('Europe', 'not a regular file'), ('right/UTC', 'leap seconds'),
                       ('zone.tab', 'no time zone file'), ('Europe//Zurich', 'no name'), ('a' * 99, 'No such file')):
        if name.startswith('right') and not os.path.exists(os.path.join(FOLDER, name)):
            continue
        answer = ask(FOLDER, [(name, 'day', 0)])[0]
        tap.ok(answer.startswith('error ') and what in answer, 'refused: ' + name, answer)
    tap.same(ask(folder, [('UTC', 'day', 86400)]), ['86400 172800 0'], 'UTC needs no file')
    if os.path.exists('/etc/localtime'):
        with open('/etc/localtime', 'rb') as file:
            clock = Clock(zoneinfo.ZoneInfo.from_file(file))
        questions = [('-', unit, 1790000000) for unit in UNITS]
        compare("the system's zone", FOLDER, questions, {'-': clock})


with tempfile.TemporaryDirectory() as scratch:
    tap.note('seed %d' % SEED)
    rng = random.Random(SEED)
    check_known()
    check_names(os.path.join(scratch, 'empty'))
    check_slim(check_all(rng), scratch)
    check_far(rng)
tap.done()
