"""Language models whose context is a trace, beside the ones that select.

Everything here needs torch (extra ``[torch]``), and nothing of it is imported by the engine.
This module and `hebbsim.lm.config` import none of it.

==================  ============================================================
`config`            configurations and presets
`traces`            the fixed-coefficient recurrence: naive, chunked, fused
`triton_traces`     its fused kernel for CUDA
`memories`          the ladder: window, EMA, gates, fast weights, attention
`layers`            layers of several models of one shape, side by side
`spen`, `gpt2`      the two architectures, one block each
`model`             embedding, blocks, read-out; parameter matching
`tokenizer`         byte-level BPE
`sources`, `packed` documents from files and streams; packed token files
`optimizer`         AdamW over one array of all weights
`training`          the training loop and its checkpoints
`evaluation`        perplexity by distance of earlier occurrence
`blimp`, `recall`   minimal pairs; associative recall and copying
`depth`             what is still readable of a layer further up
==================  ============================================================
"""
