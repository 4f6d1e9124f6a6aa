"""For machines: the same comparisons for programs, over HTTP and over the Model Context Protocol.

    http_api.py --+                      +-> questions.py   what may be asked -> a request
    mcp_server.py +-> calls.py: what there is
                  +-> asking.py: asked, admitted, found out, recorded --> bot/inquiry/inquiry.py
                                         +-> answers.py     the result -> a bounded answer

Questions, answers and descriptions are types; the OpenAPI document and the tools' schemas are made from them.
"""
