"""The classroom: a live page on which a class watches a memory read.

The state of one browser window is a `Session`; what all windows share is a `Room`. Both are
plain Python: messages go in as dictionaries and come out as dictionaries. `server` carries
them between a Bokeh server and the page, `export` writes them into one static file, and the
page in `page/` draws them, the same in both.
"""
