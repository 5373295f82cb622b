"""The Content-Security-Policy in the browser, a lost address, and faults that the rule finds."""

import pytest

from tests.site import rules
from tests.site.test_browser import open_page

HASH = "'sha256-5KYv+PUboo5h+0+YAtGRPbwv5d/QxzHslP4YGnUaxRw='"  # of `go()`
RULES = "default-src 'self'; script-src 'self' {hashes}; object-src 'none'; base-uri 'self'"
PAGE = """<html lang="en"><head>{before}
<meta http-equiv="Content-Security-Policy" content="{policy}" />
<title>A page</title></head><body>{body}</body></html>"""
GOOD = {"before": "", "policy": RULES.format(hashes=HASH), "body": "<script>go()</script>"}
FAULTS = {
    "a script without a hash": {"body": "<script>go();</script>"},
    'a script without a hash: "import': {"body": "<script type='module'>import 'x'</script>"},
    "a handler onclick": {"body": "<button onclick='go()'>Go</button>"},
    "a link that is a script": {"body": "<a href='javascript:go()'>Go</a>"},
    "something before its policy": {"before": "<script src='a.js'></script>"},
    "scripts from 'unsafe-inline'": {"policy": RULES.format(hashes=HASH + " 'unsafe-inline'")},
    "scripts from https:": {"policy": RULES.format(hashes=HASH + " https:")},
    "scripts from 'wasm-unsafe-eval'": {
        "policy": RULES.format(hashes=HASH + " 'wasm-unsafe-eval'")
    },
    "object-src is not 'none'": {"policy": f"script-src 'self' {HASH}"},
}


def test_a_good_policy_passes(tmp_path):
    (tmp_path / "page.html").write_text(PAGE.format(**GOOD))
    assert list(rules.policy_is_strict(tmp_path)) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_policy_is_found(tmp_path, fault):
    (tmp_path / "page.html").write_text(PAGE.format(**GOOD | FAULTS[fault]))
    assert any(fault.split(":")[0] in found for found in rules.policy_is_strict(tmp_path))


def test_a_page_without_a_policy_is_found(tmp_path):
    (tmp_path / "page.html").write_text("<html><head></head></html>")
    assert list(rules.policy_is_strict(tmp_path)) == ["page.html has 0 policies"]


def test_the_browser_refuses_what_the_policy_does_not_allow(browser, site):
    page = open_page(browser, site, "book/notation").page
    page.evaluate("""() => {
      window.print = () => { window.printed = true; };
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
      document.body.insertAdjacentHTML("beforeend", "<i id='i' onclick='window.ran = true'>x</i>");
      document.getElementById("i").click();
    }""")
    assert page.evaluate("window.ran") is None
    # The theme's button has lost its handler, and a script of ours acts for it.
    page.locator(".btn-download-pdf-button").first.dispatch_event("click")
    assert page.evaluate("window.printed") is True
    page.close()


def test_a_lost_address_shows_a_page_that_leads_on(browser, site):
    page = browser.new_page()
    failed = []
    page.on("requestfailed", lambda request: failed.append(request.url))
    page.on("response", lambda r: failed.append(r.url) if r.status >= 400 else None)
    lost = f"{site}/book/deeper/nothing.html"
    assert page.goto(lost, wait_until="networkidle").status == 404
    assert failed == [lost]
    page.locator("article a").first.click()
    page.wait_for_url(f"{site}/book/intro.html")
    page.close()


def test_the_root_leads_to_the_front_page(browser, site):
    page = browser.new_page()
    page.goto(f"{site}/")
    page.wait_for_url(f"{site}/book/intro.html")
    page.close()
