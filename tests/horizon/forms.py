"""What a page of Horizon holds: the fields of a dialog with what is in them, the rows of a table, and what it says."""

import html
import re
from html.parser import HTMLParser

ROW = re.compile(r'<tr[^>]*\bdata-object-id="([^"]*)"')
# A message, with what kind it is; and the words beside a field that is not right.
SAYS = re.compile(
    r"<strong>((?:Info|Warning|Success|Error): </strong>.*?)</p>|<span class=\"help-block \">(.*?)</span>", re.DOTALL
)
TAG = re.compile(r"<[^>]*>")


class Fields(HTMLParser):
    """What a browser would send for the forms of a page, as pairs; `names` has also the fields that it would not."""

    def __init__(self, page):
        super().__init__()
        self.pairs, self.names = [], set()
        self.select, self.area = None, None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        name = attrs.get("name")
        if tag == "option" and self.select:
            self.select["options"].append((attrs.get("value", ""), "selected" in attrs))
        elif tag == "select" and name:
            self.names.add(name)
            self.select = {"name": name, "multiple": "multiple" in attrs, "options": []}
        elif tag == "textarea" and name:
            self.names.add(name)
            self.area = (name, [])
        elif tag == "input" and name and attrs.get("type") != "submit":
            self.names.add(name)
            if attrs.get("type") not in ("checkbox", "radio"):
                self.pairs.append((name, attrs.get("value", "")))
            elif "checked" in attrs:
                self.pairs.append((name, attrs.get("value", "on")))

    def handle_endtag(self, tag):
        if tag == "select" and self.select:
            chosen = [value for value, selected in self.select["options"] if selected]
            if not chosen and not self.select["multiple"]:
                chosen = [value for value, _ in self.select["options"][:1]]
            self.pairs += [(self.select["name"], value) for value in chosen]
            self.select = None
        elif tag == "textarea" and self.area:
            self.pairs.append((self.area[0], "".join(self.area[1]).strip()))
            self.area = None

    def handle_data(self, data):
        if self.area:
            self.area[1].append(data)


def rows(page):
    """The ids of the rows of a page's table, in order."""
    return [html.unescape(id) for id in ROW.findall(page)]


def says(page):
    """The messages of a page, and what it has to say about the fields of its form."""
    texts = (" ".join(html.unescape(TAG.sub(" ", text)).split()) for text in map("".join, SAYS.findall(page)))
    return [text for text in texts if text]
