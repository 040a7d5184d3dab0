"""The translations, held: every source with texts for people is listed, every text has its Spanish, placeholders agree.

Run as `tests/po/test_po.py ROOT`; prints each breach and exits 1 when there is any. Without xgettext and msgfmt (package
gettext) only the list of sources is looked at.
"""
import ast
import os
import re
import shutil
import subprocess
import sys
import tempfile

FOLDERS = ['core', 'sim', 'tui', 'cli']
KEYWORDS = ['-k_', '-kN_', '-kngettext:1,2']
MARK = re.compile(r'(?<!\w)(?:_|N_|ngettext)\s*\(\s*"')
CUT = re.compile(r'(?<!\w)(?:_|N_|ngettext)\s*\((?:\s*"(?:[^"\\]|\\.)*")+\s*(?!PRI)[A-Z]\w*')
COMMENT = re.compile(r'/\*.*?\*/', re.DOTALL)
PLACEHOLDER = re.compile(r'%(?:(\d+)\$)?[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?((?:hh|h|ll|l|z|j|t)?[a-zA-Z%])')


def listed(root):
    with open(os.path.join(root, 'po/POTFILES')) as file:
        return [line.strip() for line in file if line.strip() and not line.startswith('#')]


def sources(root):
    for folder in FOLDERS:
        for path, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                if name.endswith(('.c', '.h')):
                    yield os.path.relpath(os.path.join(path, name), root)


def sources_with_texts_are_listed(root):
    files = listed(root)
    for name in files:
        if not os.path.exists(os.path.join(root, name)):
            yield f'po/POTFILES: {name}: no such file'
        if files.count(name) > 1:
            yield f'po/POTFILES: {name}: is listed twice'
    for name in sorted(sources(root)):
        with open(os.path.join(root, name)) as file:
            text = COMMENT.sub('', file.read())
        if name not in files and MARK.search(text):
            yield f'po/POTFILES: {name} has texts for people and is not listed'
        for match in CUT.finditer(text):
            yield f'{name}: {match[0]}: a macro cuts the text that xgettext finds; write the conversion itself'


def entries(text):
    """The entries of a PO file as maps: field -> text, such as msgid and msgstr[0]; flags under "flags"."""
    for block in re.split(r'\n\s*\n', text):
        entry, field = {'flags': ''}, None
        for line in block.split('\n'):
            match = re.match(r'(msg[a-z_]+(?:\[\d\])?)\s+(".*")$', line)
            if match:
                field = match[1]
                entry[field] = ast.literal_eval(match[2])
            elif line.startswith('"') and field:
                entry[field] += ast.literal_eval(line)
            elif line.startswith('#,'):
                entry['flags'] += line
        if 'msgid' in entry and entry['msgid'] != '':
            yield entry


def placeholders(text):
    """What a text asks of its arguments: (number, conversion), sorted by number."""
    found = [match for match in PLACEHOLDER.finditer(text) if match[2] != '%']
    return sorted({(int(match[1] or i + 1), match[2]) for i, match in enumerate(found)})


def edges(text):
    return (text[:len(text) - len(text.lstrip())], text[len(text.rstrip()):])


def spanish_is_sound(entry):
    """Placeholders agree (numbered ones too, which msgfmt does not always know for C), and so do spaces at the ends."""
    for field, text in entry.items():
        if not field.startswith('msgstr'):
            continue
        original = entry['msgid'] if field in ('msgstr', 'msgstr[0]') else entry.get('msgid_plural', '')
        if text == '':
            yield 'has no Spanish'
        elif placeholders(text) != placeholders(original):
            yield f'other placeholders in "{text}"'
        elif edges(text) != edges(original):
            yield f'other spaces at the ends of "{text}"'
    if 'fuzzy' in entry['flags']:
        yield 'is fuzzy'


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def every_text_has_its_spanish(root):
    folder = os.path.join(root, 'po')
    with open(os.path.join(folder, 'es.po')) as file:
        spanish = {entry['msgid']: entry for entry in entries(file.read())}
    with tempfile.TemporaryDirectory() as scratch:
        template = os.path.join(scratch, 'timonel.pot')
        status, said = run(['xgettext', '--from-code=UTF-8', *KEYWORDS, '-D', '..', '-f', 'POTFILES', '-o', template],
                           folder)
        if status != 0:
            yield f'xgettext: {said}'
            return
        with open(template) as file:
            english = {entry['msgid']: entry for entry in entries(file.read())}
    for text, entry in english.items():
        if text not in spanish:
            yield f'po/es.po: has no Spanish for: "{text}"'
        elif spanish[text].get('msgid_plural') != entry.get('msgid_plural'):
            yield f'po/es.po: another plural of: "{text}"'
    for text, entry in spanish.items():
        if text not in english:
            yield f'po/es.po: nobody says any more: "{text}"'
        for breach in spanish_is_sound(entry):
            yield f'po/es.po: "{text}": {breach}'
    status, said = run(['msgfmt', '-c', '-o', os.devnull, 'es.po'], folder)
    if status != 0:
        yield f'msgfmt: {said}'


def main():
    root = sys.argv[1]
    breaches = list(sources_with_texts_are_listed(root))
    if shutil.which('xgettext') and shutil.which('msgfmt'):
        breaches += every_text_has_its_spanish(root)
    else:
        print('skipped: xgettext or msgfmt is not installed, so no text was compared')
    print('\n'.join(breaches))
    return 1 if breaches else 0


sys.exit(main())
