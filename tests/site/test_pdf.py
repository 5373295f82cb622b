"""``make pdf``: the book as one document."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from pypdf import PdfReader

from dpgcourse import __version__
from tools import make_pdf

ROOT = Path(__file__).resolve().parents[2]
LETTERS = 40  # less on a page is an empty page; a page with a picture alone has its caption


@pytest.mark.long
def test_the_document_holds_every_page_and_nothing_is_cut(html, tmp_path):
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium on the path")
    path = tmp_path / "book.pdf"
    with ThreadPoolExecutor(1) as pool:  # this thread may hold another Playwright
        printed = pool.submit(make_pdf.make, html, ROOT, __version__, path, chromium)
        assert printed.result() == []
    reader = PdfReader(path)
    pages = [page for _, part in make_pdf.contents_of(ROOT) for page in part]
    assert len(pages) > 30
    outline = [x for item in reader.outline for x in (item if isinstance(item, list) else [item])]
    captions = [caption for caption, _ in make_pdf.contents_of(ROOT) if caption]
    assert len(outline) == len(pages) + len(captions)
    texts = [page.extract_text() for page in reader.pages]
    assert [i for i, text in enumerate(texts, 1) if len(text.strip()) < LETTERS] == []
    assert f"version {__version__}" in texts[0]
    assert any("Exercise" in text for text in texts)
