"""Model providers that the pool's environment opens beside the metered server."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .address import same_server
from .upstream import Upstream

# A pool lists variables here that open no model.
_EXEMPT = "CODEFORGE_NOT_FOR_MODELS"
# Prefixes of the variables of LiteLLM and of the providers' own clients.
_PROVIDERS = """
    AI21 AIML AI_GATEWAY ALEPHALPHA ALEPH_ALPHA ANTHROPIC ANTHROPIC_BEDROCK ANTHROPIC_FOUNDRY ANTHROPIC_VERTEX
    ANYSCALE ARK AZURE AZURE_AI AZURE_OPENAI BASETEN BEDROCK BYTEZ CEREBRAS CHUTES CLARIFAI CLAUDE_CODE CLOUDFLARE
    CO CODESTRAL COHERE COMETAPI COPILOT DASHSCOPE DATABRICKS DEEPINFRA DEEPSEEK FIREWORKS FIREWORKSAI FIREWORKS_AI
    FRIENDLI FRIENDLIAI GEMINI GIGACHAT GOOGLE GOOGLE_GEMINI GOOGLE_GENERATIVE_AI GRADIENT_AI GROQ HELICONE
    HOSTED_VLLM HUGGINGFACE HUGGING_FACE HYPERBOLIC INCEPTION JINA JINA_AI LANGDOCK LITELLM LITELLM_PROXY LLAMA
    LLAMAFILE LLM LMSTUDIO LM_STUDIO MARITALK META_LLAMA MINIMAX MISTRAL MODELSCOPE MOONSHOT MORPH NEBIUS NLP_CLOUD
    NOVITA NSCALE NVIDIA NVIDIA_NIM OCI OLLAMA OPENAI OPENAI_LIKE OPENCODE OPENROUTER OVHCLOUD PALM PERPLEXITY
    PERPLEXITYAI PORTKEY PREDIBASE QWEN REPLICATE REQUESTY SAMBANOVA SILICONFLOW SNOWFLAKE TOGETHER TOGETHERAI
    TOGETHER_AI TOPAZ V0 VENICE VERCEL_AI_GATEWAY VERTEX VERTEXAI VERTEX_AI VLLM VOLCENGINE VOYAGE WATSONX WX XAI
    XINFERENCE YI ZAI ZHIPU ZHIPUAI
"""
_KEYS = "(?:API_?)?KEY|API_TOKEN|AUTH_TOKEN|OAUTH_TOKEN|AD_TOKEN"
_BASES = "API_BASE|BASE_URL|API_URL|API_BASE_URL|API_ENDPOINT|ENDPOINT|API_HOST|HOST"
# An agent may have its own name in front, as in AIDER_OPENAI_API_BASE.
_NAME = re.compile(
    rf"(?:AIDER_|MSWEA_|OPENHANDS_|OPENCODE_)?(?P<provider>{'|'.join(_PROVIDERS.split())})_(?:(?P<key>{_KEYS})|{_BASES})"
)
# Keys whose names follow no pattern: of Bedrock, Vertex, Hugging Face, and some of aider's.
_OTHER_KEYS = frozenset({
    "AIDER_API_KEY", "AIDER_SET_ENV", "AWS_ACCESS_KEY_ID", "AWS_BEARER_TOKEN_BEDROCK", "AWS_PROFILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE", "CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "DATABRICKS_TOKEN",
    "GITHUB_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "SNOWFLAKE_JWT",
    "VERTEXAI_CREDENTIALS", "WATSONX_TOKEN",
})  # fmt: skip


def other_provider(pool: Mapping[str, str], upstream: Upstream | None) -> str:
    """The first variable by which an agent may reach an unmetered model; empty for none.

    An address may be that of the metered server. A key may be that server's own, or belong to a provider whose address
    is set to that server: then the key is sent nowhere else.
    """
    exempt = {name.strip() for name in pool.get(_EXEMPT, "").split(",")}
    given = {name: value for name, value in pool.items() if value and name not in exempt}
    counted: set[str] = {"OPENAI"} if upstream else set()
    keys: list[tuple[str, str]] = []
    strange: list[str] = []
    for name, value in given.items():
        found = _NAME.fullmatch(name)
        if name in _OTHER_KEYS:
            strange.append(name)
        elif not found or (upstream and upstream.replaces(name, value)):
            continue
        elif found["key"]:
            keys.append((name, found["provider"]))
        elif upstream and same_server(value, upstream.base):
            counted.add(found["provider"])
        else:
            strange.append(name)
    strange += [name for name, provider in keys if provider not in counted]
    return min(strange, default="")
