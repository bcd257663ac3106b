/* SPDX-License-Identifier: BSD-2-Clause
 *
 * dkim_zone - the keys of RFC 8463 A.2 and a few that fail, for fuzz targets
 */
#ifndef MFX_T_DKIM_ZONE_H
#define MFX_T_DKIM_ZONE_H

static const char dkim_zone[] =
    "brisbane._domainkey.football.example.com TXT v=DKIM1; k=ed25519; "
    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
    "test._domainkey.football.example.com TXT v=DKIM1; k=rsa; "
    "p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6"
    "Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/"
    "e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G"
    "+2kryOTIKT+l/K4w3QIDAQAB\n"
    "a._domainkey.a TXT !servfail\n"
    "b._domainkey.a TXT !nodata\n"
    "c._domainkey.a TXT p=\n"
    "s._domainkey.a TXT v=DKIM1; t=s:y; k=ed25519; "
    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n";

#endif
