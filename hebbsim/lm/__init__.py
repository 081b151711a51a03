"""Language models with traces as context, and models that select from their context.

Everything here except this module and `hebbsim.lm.config` needs torch (extra ``[torch]``).

==================  ============================================================
`config`            configurations and presets
`traces`            the fixed-coefficient recurrence: naive, chunked, fused
`triton_traces`     its fused kernel for CUDA
`memories`          the memories: window, EMA, gates, fast weights, attention
`layers`            layers of several models of one shape, side by side
`spen`              a block of the architecture with traces
`model`             embedding, blocks, also of GPT-2, read-out; parameter matching
`tokenizer`         byte-level BPE
`sources`, `packed` documents from files and streams; packed token files
`optimizer`         AdamW over one array of all weights
`training`          the training loop and its checkpoints
`evaluation`        perplexity by distance of earlier occurrence; how much of each layer is
                    still readable at the top
`blimp`, `recall`   minimal pairs; associative recall and copying
==================  ============================================================
"""
